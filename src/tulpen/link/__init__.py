"""How packets come and go: TUN, veth with AF_PACKET, memory; a tee to pcapng; private networks."""
