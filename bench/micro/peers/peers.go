// SPDX-License-Identifier: Apache-2.0

// The rows of weft's micro-benchmarks in Go, for bench/compare.py primitives.
//
//	peers THREADS NAME...    prints "NAME NANOSECONDS" for each operation (qsort: for each sort)
package main

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const capacity = 128

func roundTrip(count int) {
	there, back := make(chan int), make(chan int)
	go func() {
		for value := range there {
			back <- value
		}
	}()
	for i := 0; i < count; i++ {
		there <- i
		<-back
	}
	close(there)
}

func buffered(count int) {
	channel, done := make(chan int, capacity), make(chan int)
	go func() {
		for range channel {
		}
		close(done)
	}()
	for i := 0; i < count; i++ {
		channel <- i
	}
	close(channel)
	<-done
}

func twoAndTwo(count int) {
	channel := make(chan int, capacity)
	var producers, consumers sync.WaitGroup
	for side := 0; side < 2; side++ {
		producers.Add(1)
		consumers.Add(1)
		go func() {
			for range channel {
			}
			consumers.Done()
		}()
		go func() {
			for i := 0; i < count/2; i++ {
				channel <- i
			}
			producers.Done()
		}()
	}
	producers.Wait()
	close(channel)
	consumers.Wait()
}

func receiveFromFour(channels *[4]chan int) {
	select {
	case <-channels[0]:
	case <-channels[1]:
	case <-channels[2]:
	case <-channels[3]:
	}
}

func four(size int) (channels [4]chan int) {
	for i := range channels {
		channels[i] = make(chan int, size)
	}
	return
}

func selectReady(count int) {
	channels := four(1)
	for i := 0; i < count; i++ {
		channels[i%4] <- i
		receiveFromFour(&channels)
	}
}

func selectWait(count int) {
	channels := four(0)
	go func() {
		for i := 0; i < count; i++ {
			channels[i%4] <- i
		}
	}()
	for i := 0; i < count; i++ {
		receiveFromFour(&channels)
	}
}

func mutex(count int) {
	var mutex sync.Mutex
	for i := 0; i < count; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
}

func contended(count int) {
	const fibers = 8
	var mutex sync.Mutex
	var all sync.WaitGroup
	value := 0
	for i := 0; i < fibers; i++ {
		all.Add(1)
		go func() {
			for turn := 0; turn < count/fibers; turn++ {
				mutex.Lock()
				value++
				mutex.Unlock()
			}
			all.Done()
		}()
	}
	all.Wait()
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	left := 0
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		left = fib(n - 1)
		group.Done()
	}()
	right := fib(n - 2)
	group.Wait()
	return left + right
}

// fib(20) forks 10,945 times.
func forkJoin(count int) {
	for i := 0; i < count; i += 10945 {
		fib(20)
	}
}

func spawnAndJoin(count int) {
	for i := 0; i < count; i++ {
		done := make(chan int)
		go func() { close(done) }()
		<-done
	}
}

// Beside bench_blocking: Go makes a system call on the goroutine's own thread.
func systemCall(count int) {
	for i := 0; i < count; i++ {
		syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
	}
}

// One that blocks for 100 us, while another goroutine is there to run.
func blockingCall(count int) {
	stop, stopped := make(chan int), make(chan int)
	go func() {
		for {
			select {
			case <-stop:
				close(stopped)
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	time100us := syscall.Timespec{Nsec: 100000}
	for i := 0; i < count; i++ {
		syscall.Nanosleep(&time100us, nil)
	}
	close(stop)
	<-stopped
}

// A process is started and waited for.
func process(count int) {
	for i := 0; i < count; i++ {
		if err := exec.Command("/bin/true").Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func quicksort(values []int32) {
	if len(values) <= 32 {
		sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
		return
	}
	pivot := values[len(values)/2]
	low, next, high := 0, 0, len(values)
	for next < high {
		switch value := values[next]; {
		case value < pivot:
			values[low], values[next] = value, values[low]
			low++
			next++
		case value > pivot:
			high--
			values[high], values[next] = value, values[high]
		default:
			next++
		}
	}
	done := make(chan int)
	for _, part := range [][]int32{values[:low], values[high:]} {
		part := part
		go func() {
			quicksort(part)
			done <- 0
		}()
	}
	<-done
	<-done
}

func qsort(count int) {
	random := rand.New(rand.NewSource(1))
	values := make([]int32, 200000)
	for i := 0; i < count; i++ {
		for j := range values {
			values[j] = random.Int31()
		}
		quicksort(values)
	}
}

var rows = map[string]struct {
	run   func(count int)
	count int
}{
	"round_trip":     {roundTrip, 20000},
	"buffered":       {buffered, 20000},
	"two_and_two":    {twoAndTwo, 20000},
	"select_ready":   {selectReady, 20000},
	"select_wait":    {selectWait, 20000},
	"mutex":          {mutex, 100000},
	"contended":      {contended, 40000},
	"fork_join":      {forkJoin, 10945},
	"spawn_and_join": {spawnAndJoin, 20000},
	"system_call":    {systemCall, 20000},
	"blocking_call":  {blockingCall, 1000},
	"process":        {process, 60},
	"qsort":          {qsort, 1},
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: peers THREADS NAME...")
		os.Exit(2)
	}
	threads, err := strconv.Atoi(os.Args[1])
	if err != nil || threads < 1 {
		fmt.Fprintln(os.Stderr, "not a number of threads:", os.Args[1])
		os.Exit(2)
	}
	runtime.GOMAXPROCS(threads)
	for _, name := range os.Args[2:] {
		row, known := rows[name]
		if !known {
			fmt.Fprintln(os.Stderr, "no row is called", name)
			os.Exit(2)
		}
		const rounds = 11
		times := make([]float64, rounds)
		for i := range times {
			start := time.Now()
			row.run(row.count)
			times[i] = float64(time.Since(start).Nanoseconds()) / float64(row.count)
		}
		sort.Float64s(times)
		fmt.Printf("%s %.1f\n", name, times[rounds/2])
	}
}
