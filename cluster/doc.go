// Package cluster tests what no single process can show: two Caddys, each a
// process of its own, that share one merchant account and one Redis behind one
// public address, while nodes are killed and Redis falls silent.
//
// The test binary runs itself again as each node. The gateway's simulator, the
// shop's own program that webhooks tell, and the load balancer stay in the
// test's process and are reached over HTTP. The tests need redis-server.
//
// It is a module of its own, so that the plugin does not depend on Redis.
package cluster
