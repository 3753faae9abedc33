"""What others read us with: from what is known to messages in the shape that they expect."""
