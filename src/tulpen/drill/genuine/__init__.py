"""The genuine packetdrill as a second judge: its program drives a tulpen host through a shared object of ours."""
