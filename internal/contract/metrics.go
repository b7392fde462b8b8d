package contract

import "github.com/prometheus/client_golang/prometheus"

// Gauge is a metric "voipd_" + name that f reads each time it is asked for.
func Gauge(name, help string, f func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "voipd_" + name, Help: help}, f)
}

// Counter is a metric "voipd_" + name that only grows, read by f.
func Counter(name, help string, f func() float64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "voipd_" + name, Help: help}, f)
}
