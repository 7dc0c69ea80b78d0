package main

import (
	"fmt"
	"slices"
	"time"
)

// median is that of a field; of an even number, the upper of the two in the middle.
func median[T any, V int64 | float64 | time.Duration](all []T, field func(T) V) V {
	return quantile(all, 0.5, field)
}

// quantile is the value of a field below which a part of all lie, 0.99 for p99.
func quantile[T any, V int64 | float64 | time.Duration](all []T, part float64, field func(T) V) V {
	values := make([]V, len(all))
	for i, one := range all {
		values[i] = field(one)
	}
	slices.Sort(values)
	return values[min(int(part*float64(len(values))), len(values)-1)]
}

// itself is a field of what is a value already.
func itself[V any](v V) V { return v }

// ratios are the medians of a over b, round by round: what else the machine does
// in a round slows both.
func ratios[T any](a, b []T, times func(T) (wall, cpu time.Duration)) (wall, cpu float64) {
	walls, cpus := make([]float64, len(a)), make([]float64, len(a))
	for i := range a {
		aWall, aCPU := times(a[i])
		bWall, bCPU := times(b[i])
		walls[i], cpus[i] = float64(aWall)/float64(bWall), float64(aCPU)/float64(bCPU)
	}
	return median(walls, itself), median(cpus, itself)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/1e6) }

func us(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/1e3) }

func times(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }
