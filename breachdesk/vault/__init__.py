from uuid import UUID

# The scope of everything that belongs to no incident: staff, settings, the organisation itself.
ORGANISATION = UUID(int=0)
