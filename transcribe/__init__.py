"""From sound to a language-tagged transcript."""

import models  # noqa: F401  no library that this room loads may tell its maker
