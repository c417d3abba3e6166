// Package crash kills a running Caddy at every write of a payment, and has its
// disk fill up in the middle of one, to see that nothing is lost or doubled. It
// holds tests alone.
package crash
