// Command probe is a guest that does what the option "do" says, for the tests of what
// guests of the Go toolchain can do and what they cannot.
package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

var (
	kept    [][]byte // what keep leaves on the heap
	mark    [64]byte // and in a global
	started = time.Now()
)

//go:wasmexport negotiate
func negotiate() int32 { return stunnel.Status(run()) }

//go:wasmexport configure
func configure() int32 {
	if kept != nil {
		return 1
	}
	keep("configure-marker", 10)
	return 0
}

func main() {}

func run() error {
	do, _ := stunnel.Option("do")
	word, _ := stunnel.Option("word")
	switch do {
	case "keep":
		keep(word, 1000)
	case "look":
		pages, _ := stunnel.Option("pages")
		n, err := strconv.Atoi(pages)
		if err != nil {
			return err
		}
		return look(word, n)
	case "connect":
		return stunnel.Doing("connecting", stunnel.Connect())
	case "random":
		b := make([]byte, 16)
		_, _ = rand.Read(b)
		stunnel.Annotate("random", string(stunnel.Quote(b)))
	case "sleep":
		// One goroutine sleeps, another computes, this one waits for both.
		begin, done := time.Now(), make(chan int)
		go func() { time.Sleep(50 * time.Millisecond); done <- 1 }()
		go func() { runtime.GC(); done <- 2 }()
		sum := <-done + <-done
		stunnel.Annotate("slept", strconv.FormatBool(sum == 3 && time.Since(begin) >= 50*time.Millisecond))
		stunnel.Annotate("clock", strconv.FormatBool(!begin.Before(started)))
	case "year":
		stunnel.Annotate("year", strconv.Itoa(time.Now().UTC().Year()))
	case "print":
		println("to standard error")
		_, _ = os.Stdout.WriteString("to standard output\n")
	case "file":
		_, err := os.Open("/etc/passwd")
		stunnel.Annotate("file", err.Error())
		stunnel.Annotate("args", strconv.Itoa(len(os.Args))+" "+strconv.Itoa(len(os.Environ())))
	case "panic":
		panic("no " + word)
	case "exit":
		os.Exit(7)
	case "grow":
		for i := range 4 {
			kept = append(kept, make([]byte, (i+1)<<20))
		}
	default:
		return stunnel.Refuse(stunnel.ClassConfig, "no such thing to do: "+do)
	}
	return nil
}

// keep writes a word all over the memory.
func keep(word string, blocks int) {
	copy(mark[:], word)
	for range blocks {
		b := make([]byte, 1<<10)
		for i := 0; i+len(word) <= len(b); i += len(word) {
			copy(b[i:], word)
		}
		kept = append(kept, b)
	}
}

// look searches the memory that an instance begins with for a word, each byte of which is given one too high,
// so that the search does not find itself.
func look(word string, pages int) error {
	const first = 8 // the address of nothing is no address
	memory := unsafe.Slice((*byte)(unsafe.Add(nil, first)), pages<<16-first)
	for i := 0; ; i++ {
		next := bytes.IndexByte(memory[i:], word[0]-1)
		if next < 0 {
			break
		}
		i += next
		n := 0
		for n < len(word) && i+n < len(memory) && memory[i+n] == word[n]-1 {
			n++
		}
		if n == len(word) {
			return stunnel.Refuse(stunnel.ClassInternal, "found at "+strconv.Itoa(i+first))
		}
	}
	if mark != [64]byte{} || kept != nil {
		return stunnel.Refuse(stunnel.ClassInternal, "something is in a global")
	}
	return nil
}
