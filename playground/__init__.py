"""A local Slack: Web API, Socket Mode, signed HTTP events and a web page; no bot code in it."""
