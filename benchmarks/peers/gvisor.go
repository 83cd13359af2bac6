// The three services of the benchmarks (echo, discard, chargen) on gVisor's netstack, over a
// descriptor that this process inherits: a TUN device, or a packet socket for host GSO.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const nic = 1

func main() {
	fd := flag.Int("fd", -1, "descriptor of the device")
	mtu := flag.Uint("mtu", 1500, "its MTU")
	gso := flag.Uint("gso", 0, "octets that the device cuts; 0: none")
	local := flag.String("local", "", "our address")
	remote := flag.String("remote", "", "theirs")
	near := flag.String("near", "", "our Ethernet address, for a packet socket")
	far := flag.String("far", "", "theirs")
	congestion := flag.String("congestion", "cubic", "congestion control")
	flag.Parse()

	options := &fdbased.Options{
		FDs:                []int{*fd},
		MTU:                uint32(*mtu),
		PacketDispatchMode: fdbased.RecvMMsg,
		GSOMaxSize:         uint32(*gso),
		TXChecksumOffload:  false, // as runsc has it: only what is cut goes without a checksum
		RXChecksumOffload:  *gso > 0,
	}
	if *near != "" {
		address, err := net.ParseMAC(*near)
		check(err)
		options.EthernetHeader = true
		options.Address = tcpip.LinkAddress(address)
	}
	link, err := fdbased.New(options)
	check(err)

	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{arp.NewProtocol, ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
		HandleLocal:        false,
	})
	sack := tcpip.TCPSACKEnabled(true)
	complain(s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))
	moderate := tcpip.TCPModerateReceiveBufferOption(true)
	complain(s.SetTransportProtocolOption(tcp.ProtocolNumber, &moderate))
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4096, Default: 1 << 20, Max: 8 << 20}
	complain(s.SetTransportProtocolOption(tcp.ProtocolNumber, &receive))
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4096, Default: 1 << 20, Max: 8 << 20}
	complain(s.SetTransportProtocolOption(tcp.ProtocolNumber, &send))
	control := tcpip.CongestionControlOption(*congestion)
	complain(s.SetTransportProtocolOption(tcp.ProtocolNumber, &control))

	complain(s.CreateNIC(nic, link))
	us := tcpip.Address(net.ParseIP(*local).To4())
	them := tcpip.Address(net.ParseIP(*remote).To4())
	complain(s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: us.WithPrefix(),
	}, stack.AddressProperties{}))
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}})
	if *far != "" {
		address, err := net.ParseMAC(*far)
		check(err)
		complain(s.AddStaticNeighbor(nic, ipv4.ProtocolNumber, them, tcpip.LinkAddress(address)))
	}

	for port, service := range map[uint16]func(net.Conn){8007: echo, 8009: discard, 8019: chargen} {
		listener, err := gonet.ListenTCP(s, tcpip.FullAddress{NIC: nic, Port: port}, ipv4.ProtocolNumber)
		check(err)
		go serve(listener, service)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started us is gone
}

func serve(listener net.Listener, service func(net.Conn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			service(connection)
		}()
	}
}

func echo(connection net.Conn) {
	buffer := make([]byte, 65536)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err = connection.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func discard(connection net.Conn) {
	buffer := make([]byte, 1<<18)
	for {
		if _, err := connection.Read(buffer); err != nil {
			break
		}
	}
	_, _ = connection.Write([]byte("!"))
}

func chargen(connection net.Conn) {
	var count [8]byte
	if _, err := io.ReadFull(connection, count[:]); err != nil {
		return
	}
	chunk := make([]byte, 1<<18)
	for left := binary.BigEndian.Uint64(count[:]); left > 0; {
		if left < uint64(len(chunk)) {
			chunk = chunk[:left]
		}
		n, err := connection.Write(chunk)
		if err != nil {
			return
		}
		left -= uint64(n)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func complain(err tcpip.Error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
