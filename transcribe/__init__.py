"""From sound to a language-tagged transcript."""
