from . import users as users
