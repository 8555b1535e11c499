"""What will be drawn: from a request to codes, before any HTTP answer or inference."""
