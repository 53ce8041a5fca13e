"""The environment in, one frozen Settings out. README's table is made from these settings."""

from bot.config.environment import load_settings, setting_files, unknown_variables
from bot.config.settings import Settings, variables

__all__ = ["Settings", "load_settings", "setting_files", "unknown_variables", "variables"]
