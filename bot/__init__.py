"""Tandem: a question in a Slack thread in, an answer by Gemma or Gemini out."""
