"""Everything that speaks Slack: events in, replies out."""
