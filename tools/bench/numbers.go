package main

import (
	"fmt"
	"time"

	"partnerview/tools/report"
)

// ratios are the medians of a over b, round by round: what else the machine does
// in a round slows both.
func ratios[T any](a, b []T, times func(T) (wall, cpu time.Duration)) (wall, cpu float64) {
	walls, cpus := make([]float64, len(a)), make([]float64, len(a))
	for i := range a {
		aWall, aCPU := times(a[i])
		bWall, bCPU := times(b[i])
		walls[i], cpus[i] = float64(aWall)/float64(bWall), float64(aCPU)/float64(bCPU)
	}
	return report.Median(walls, report.Itself), report.Median(cpus, report.Itself)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/1e6) }

func us(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/1e3) }

func times(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }
