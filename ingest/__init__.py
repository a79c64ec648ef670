"""From a submission to a standard complaint."""

import models  # noqa: F401  no library that this room loads may tell its maker
