from . import audit_log as audit_log
from . import users as users
