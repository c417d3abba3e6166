package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// scaleTables have a column for each way of running the shops.
func scaleTables(runs []*scaleRun) []table {
	tables := []table{{{"at rest"}}, {{"the load"}}, {{"payers, p50 / p99"}}, {{"what was told, p50 / p99 / slowest"}}, {{"in the end"}}}
	for i, run := range runs {
		for t, rows := range [][][2]string{run.atRest(), run.load(), run.payers(), run.told(), run.ended()} {
			tables[t][0] = append(tables[t][0], run.name)
			for n, row := range rows {
				if i == 0 {
					tables[t] = append(tables[t], []string{row[0]})
				}
				tables[t][n+1] = append(tables[t][n+1], row[1])
			}
		}
	}
	return tables
}

func scaleClaims(runs []*scaleRun) (claims []claim) {
	for _, r := range runs {
		claims = append(claims,
			claim{what: r.name + ": failures", target: 0, most: true, value: float64(len(r.failures)), floor: math.NaN(), unit: "failures"},
			claim{what: r.name + ": payments that were made, of those planned", target: 99.9, value: 100 * float64(r.made) / float64(r.plan.count()), floor: math.NaN(), unit: "%"})
	}
	return claims
}

func (r *scaleRun) atRest() [][2]string {
	return [][2]string{
		{"the Caddyfile", megabytes(r.fileSize)},
		{"loading it, each node", each(r.loads, func(d time.Duration) string { return decimal(d.Seconds()) + " s" })},
		{"memory of each node", each(r.idle, megabytes)},
		{"processor time of all nodes", percent(r.idleCPU)},
	}
}

func (r *scaleRun) load() [][2]string {
	share := func(used time.Duration) string {
		return fmt.Sprintf("%s, %s", milli(used.Seconds()/float64(r.made)), percent(used.Seconds()/r.took.Seconds()))
	}
	return [][2]string{
		{"payments planned", thousands(r.plan.count())},
		{"payments made", thousands(r.made)},
		{"of them, per second", decimal(float64(r.made) / r.took.Seconds())},
		{"processor time of the nodes, for each payment and of a core", share(r.nodesCPU)},
		{"of PostgreSQL", share(r.dataCPU)},
		{"of the gateway, the payers and the receiver", share(r.otherCPU)},
		{"of whatever else the machine did", percent(r.restCPU.Seconds() / r.took.Seconds())},
		{"memory of each node, at the most", each(r.highest, megabytes)},
		{"memory of each node, in the end", each(r.last, megabytes)},
		{"webhook connections that were open in the end", thousands(int(r.connections))},
	}
}

func (r *scaleRun) payers() [][2]string {
	late := r.durations(func(p *purchase) (time.Duration, bool) { return p.late, true })
	rows := [][2]string{{"begun after it was planned", quantiles(late, 0.5, 0.99)}}
	for step, name := range stepNames {
		times := r.durations(func(p *purchase) (time.Duration, bool) { return p.steps[step], p.err == nil && p.steps[step] > 0 })
		rows = append(rows, [2]string{name, quantiles(times, 0.5, 0.99)})
	}
	return rows
}

func (r *scaleRun) told() [][2]string {
	webhook := func(silent bool, since func(*purchase, heard) time.Time) []float64 {
		return r.durations(func(p *purchase) (time.Duration, bool) {
			h, told := r.heard[p.order]
			return max(0, h.arrived.Sub(since(p, h))), told && p.silent == silent && p.err == nil
		})
	}
	known := func(since func(*purchase) time.Time) []float64 {
		return r.durations(func(p *purchase) (time.Duration, bool) {
			h, told := r.heard[p.order]
			return max(0, h.known.Sub(since(p))), told && p.silent && p.err == nil
		})
	}
	answered := func(p *purchase, _ heard) time.Time { return p.told }
	inLedger := func(_ *purchase, h heard) time.Time { return h.known }
	return [][2]string{
		{"webhook, after the notification was answered", quantiles(webhook(false, answered), 0.5, 0.99, 1)},
		{"webhook, after a notified payment was known", quantiles(webhook(false, inLedger), 0.5, 0.99, 1)},
		{"known by enquiry, after the payment", quantiles(known(func(p *purchase) time.Time { return p.paid }), 0.5, 0.99, 1)},
		{"known by enquiry, after it was due", quantiles(known(func(p *purchase) time.Time { return p.prepared.Add(firstEnquiry) }), 0.5, 0.99, 1)},
		{"webhook, after a payment was known by enquiry", quantiles(webhook(true, inLedger), 0.5, 0.99, 1)},
	}
}

func (r *scaleRun) ended() [][2]string {
	return [][2]string{
		{"failures", thousands(len(r.failures))},
		{"payments made at the gateway", thousands(r.made)},
		{"orders that are paid in the ledger", thousands(r.books.paidAll)},
		{"of them, known by enquiry", thousands(r.books.enquired)},
		{"webhooks delivered, by the ledger", thousands(r.books.delivered)},
		{"orders that a webhook told of; webhooks that came again", fmt.Sprintf("%s; %s", thousands(len(r.heard)), thousands(r.again))},
		{"calls that the gateway refused as too many", thousands(int(r.refused))},
		{"the ledger on the disk, for each order", kilobytes(r.books.bytes / float64(max(r.books.orders, 1)))},
		{"a look at the metrics of one node", fmt.Sprintf("%s, %s", milli(r.metrics.Seconds()), megabytes(r.metricsSize))},
		{"loading the Caddyfile again, on one node that runs", decimal(r.reload.Seconds()) + " s"},
		{"memory of that node afterwards", megabytes(r.reloaded)},
	}
}

// durations are those of all purchases that count, in seconds.
func (r *scaleRun) durations(of func(*purchase) (took time.Duration, counts bool)) (all []float64) {
	for _, p := range r.purchases {
		if took, counts := of(p); counts {
			all = append(all, took.Seconds())
		}
	}
	return all
}

func quantiles(values []float64, which ...float64) string {
	var shown []string
	for _, q := range which {
		shown = append(shown, milli(quantile(values, q)))
	}
	return strings.Join(shown, " / ")
}

func each[T any](values []T, show func(T) string) string {
	var shown []string
	for _, value := range values {
		shown = append(shown, show(value))
	}
	return strings.Join(shown, ", ")
}

// percent shows a share of one core.
func percent(share float64) string { return decimal(share*100) + " %" }
