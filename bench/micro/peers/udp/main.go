// SPDX-License-Identifier: Apache-2.0

// A UDP echo server with Go's net.UDPConn, for bench_udp. Prints its port; an empty datagram ends it, and it prints the CPU
// time that it has used since then, in nanoseconds, and the number of its datagrams.
package main

import (
	"fmt"
	"net"
	"syscall"
)

func cpu() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	conn.SetReadBuffer(4 << 20)
	fmt.Println(conn.LocalAddr().(*net.UDPAddr).Port)
	buffer := make([]byte, 2048)
	start := cpu()
	count := 0
	for {
		size, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			panic(err)
		}
		if size == 0 {
			break
		}
		if _, err = conn.WriteToUDPAddrPort(buffer[:size], from); err != nil {
			panic(err)
		}
		count++
	}
	fmt.Println(cpu()-start, count)
}
