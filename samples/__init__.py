"""What ships as samples: clips, documents, grammars, prompts and how they were made."""
