"""What is true: the record, the rules on it, and the deeds that the rooms above share."""

import os

# Since 1.29 the wheels of onnxruntime report every session to their maker over the network, and
# huggingface_hub does so where it downloads. Nobody outside may learn that this house hears or
# reads something. The switches are looked at when those libraries load: every room sets them first.
for _switch in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ[_switch] = "1"

# numpy's matrices are small here, and a thread for each core waits for cores on which others
# compute: beside two busy ones the fields of a report took 35 ms (p95 125) instead of 13 (18).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
