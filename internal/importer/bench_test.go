package importer

import (
	"bytes"
	"strings"
	"testing"
)

// BenchmarkNative reads records with all the fields of an SMS.
func BenchmarkNative(b *testing.B) {
	record := line(`,"direction":"outbound","status":"delivered","statusAt":"2026-05-03T10:00:04Z","from":"SampleCo","to":"+447700900123","country":"GB","operator":"23401","segments":2,"recordedPrice":{"amount":"0.0824","currency":"EUR"},"contactName":"Contact A","content":"Sample text"`)
	benchmark(b, Native, []byte(strings.Repeat(record, 10_000)), 10_000)
}

// BenchmarkSMSExport reads the rows of the sample export, again and again.
func BenchmarkSMSExport(b *testing.B) {
	header, rows, _ := bytes.Cut(fixture(b, "8x8-sms-log.csv"), []byte("\n"))
	file := append(append(header, '\n'), bytes.Repeat(rows, 1000)...)
	benchmark(b, ConnectSMS, file, 12_000)
}

func benchmark(b *testing.B, f Format, file []byte, records int) {
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for row, err := range ReadUsage(bytes.NewReader(file), f, options()) {
			if err != nil || row.Rejected != nil {
				b.Fatal(err, row.Rejected)
			}
			n++
		}
		if n != records {
			b.Fatalf("%d records, want %d", n, records)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
