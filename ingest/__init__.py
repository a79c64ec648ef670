"""From a submission to a standard complaint."""
