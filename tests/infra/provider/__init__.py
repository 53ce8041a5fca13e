"""A stand-in for Terraform's Google provider: it knows every argument and makes nothing, and asks for no account."""
