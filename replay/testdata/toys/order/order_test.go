// Package order has results that depend on nothing but scheduling, or time, or randomness.
package order

import (
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"
	"time"
)

// step is where a goroutine can be made to yield.
//
//go:noinline
func step(mu *sync.Mutex, out *strings.Builder, who byte) {
	mu.Lock()
	defer mu.Unlock()
	out.WriteByte(who)
}

// TestScheduling prints who ran when. It sleeps not and draws nothing.
func TestScheduling(t *testing.T) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var out strings.Builder
	for who := byte('a'); who < 'e'; who++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 40 {
				step(&mu, &out, who)
			}
		}()
	}
	wg.Wait()
	fmt.Println(out.String())
}

// TestSelect prints which of two ready cases was taken.
func TestSelect(t *testing.T) {
	a, b := make(chan int, 64), make(chan int, 64)
	for i := range 64 {
		a <- i
		b <- i
	}
	for range 64 {
		select {
		case <-a:
			fmt.Print("a")
		case <-b:
			fmt.Print("b")
		}
	}
	fmt.Println()
}

// TestRandom prints the random source, the order of a map and the time.
func TestRandom(t *testing.T) {
	m := map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true}
	for k := range m {
		fmt.Print(k, " ")
	}
	fmt.Println(rand.Int63(), time.Now().UnixNano())
}

// TestLuck fails from about one seed in four.
func TestLuck(t *testing.T) {
	if rand.Intn(4) == 0 {
		t.Fatal("out of luck")
	}
}
