package torture

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cpuSettle is how long calls come before those that are measured: the longest is
// some six seconds long, so that from then on as many end as begin.
const cpuSettle = 8 * time.Second

// BenchmarkCPU says what processor time voipd takes beside Asterisk, in all of its
// threads and in the kernel for it: for each call where 1, 10 and 100 begin a
// second, at the same random moments in each run, real calls with their events each
// at its own time; and for each second in which nothing happens. voipd is a process
// of its own, as in production, on a real file; what the fake PBX takes is not in it.
func BenchmarkCPU(b *testing.B) {
	b.Run("at-rest", func(b *testing.B) {
		_, v := beside(b)
		startWell(b, v)
		<-time.After(time.Second) // what a start leaves to be done
		began, before := time.Now(), v.cpu()
		for b.Loop() {
			<-time.After(time.Second)
		}
		tellCPU(b, v.cpu()-before, time.Since(began).Seconds(), "cpu-ms/s")
		v.end(syscall.SIGTERM)
	})
	for _, rate := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d-calls-a-second", rate), func(b *testing.B) {
			pbx, v := beside(b)
			startWell(b, v)
			scenes := []*scene{unrecorded(b, "in-answered"), unrecorded(b, "out-answered"), unrecorded(b, "int-answered")}
			var begun []call
			callers, next := rand.New(rand.NewPCG(1, uint64(rate))), time.Now()
			begin := func() {
				<-time.After(time.Until(next))
				next = next.Add(time.Duration(callers.ExpFloat64() * float64(time.Second) / float64(rate)))
				s := scenes[len(begun)%len(scenes)]
				begun = append(begun, call{s, pbx.Play(s.capture, 0), time.Now()})
			}
			for range int(cpuSettle.Seconds()) * rate {
				begin()
			}
			before, calls := v.cpu(), len(begun)
			for b.Loop() {
				begin()
			}
			tellCPU(b, v.cpu()-before, float64(len(begun)-calls), "cpu-ms/call")
			recorded(b, v, begun)
			v.end(syscall.SIGTERM)
		})
	}
}

// startWell starts voipd and waits until it listens to its PBX.
func startWell(b *testing.B, v *voipd) {
	b.Helper()
	v.start()
	if err := v.well(recoverIn); err != nil {
		b.Fatal(err)
	}
}

// tellCPU reports what voipd took, for each of something.
func tellCPU(b *testing.B, took time.Duration, each float64, unit string) {
	b.ReportMetric(took.Seconds()*1000/each, unit)
	b.ReportMetric(0, "ns/op")
}

// recorded waits until every call is over and fails where one has not its record,
// or not the right one: what is cheap because it is not done is no figure.
func recorded(b *testing.B, v *voipd, begun []call) {
	b.Helper()
	for _, c := range begun {
		<-c.playing.Done()
	}
	v.until(b, func(h status) bool { return h.Queue.Waiting == 0 && h.OpenCalls == 0 })
	all, err := v.records()
	if err != nil {
		b.Fatal(err)
	}
	j := judge(begun, all, func(time.Time) bool { return false })
	if j.right != len(begun) {
		b.Fatalf("%d of %d calls have the right record: %v", j.right, len(begun), j.problems[:min(3, len(j.problems))])
	}
}

// cpu is the processor time of voipd since it was started, in all of its threads,
// those that ended included.
func (v *voipd) cpu() time.Duration {
	v.t.Helper()
	var at unix.Timespec
	// The clock of another process, as clock_getcpuclockid(3) makes it.
	if err := unix.ClockGettime(int32(^v.cmd.Process.Pid<<3|2), &at); err != nil {
		v.t.Fatal(err)
	}
	return time.Duration(at.Nano())
}
