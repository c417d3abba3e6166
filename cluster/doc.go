// Package cluster tests what no single process can show: Caddys, each a process of
// its own, that are killed at every step of a payment, alone on SQLite and two on
// one PostgreSQL, behind one public address, while PostgreSQL is stopped, falls
// silent and loses its connections.
//
// The test binary runs itself again as each node. The gateway's simulator, the
// shop's own program that webhooks tell, and the load balancer stay in the test's
// process and are reached over HTTP. The tests need PostgreSQL's server;
// that of the dashboard needs Prometheus, which scrapes both nodes.
//
// It is a module of its own, because its tests build whole Caddys.
package cluster
