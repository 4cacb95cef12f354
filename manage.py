#!/usr/bin/env python
import gc
import os
import sys

if __name__ == "__main__":
    gc.set_threshold(50_000)  # what imports make stays; looking through it again and again is an eighth of every start
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachdesk.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
