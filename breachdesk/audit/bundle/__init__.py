"""The evidence bundle, format 1: one file from which an outsider can find out whether a case's history is whole.

pinning.py ends the case's chain with an incident.head under a signed checkpoint; contents.py writes what the log
holds of it, one member after the other; reader.py adds the page that shows and checks it; archive.py packs the members
into the one ZIP these members can make.
"""
