// Package e2e drives a real browser through payments: the built Caddy with the
// Caddyfiles of examples/, and Chromium with the user agents of WeChat.
package e2e
