from .screening import screen as screen
