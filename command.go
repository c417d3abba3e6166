package qfpayjsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/cli"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "qfpay-jsapi",
		Usage: cli.Usage,
		Short: "Works with the orders of qfpay_jsapi shops",
		Long: `
Works with the orders of the qfpay_jsapi shops of the Caddy that runs on this
machine, through its admin API. Amounts are decimals of the shop's currency;
days and times are those of the shop's time_zone.

Exit codes: 0 on success, 1 on failure, 3 if an outcome is not known yet, the
doctor found something wrong, or a comparison found differences.`,
		CobraFunc: func(cmd *cobra.Command) {
			flags := cmd.PersistentFlags()
			flags.String("address", "", "Address of Caddy's admin API, if it is not the default")
			flags.StringP("config", "c", "", "Configuration file that gives the address of the admin API, if --address does not")
			flags.StringP("adapter", "a", "", "Config adapter for --config, if it is not a Caddyfile")
			cli.Add(cmd, connectAdmin)
			for _, command := range cmd.Commands() {
				command.RunE = withExitCode(command.RunE)
			}
		},
	})
}

// withExitCode has Caddy end with the code of a command that returns a
// [cli.ExitCode].
func withExitCode(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		code, ends := errors.AsType[cli.ExitCode](err)
		if !ends {
			return err
		}
		return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return int(code), nil })(cmd, args)
	}
}

// adminClient asks the admin API of a running Caddy. It does what
// [caddycmd.AdminAPIRequest] does, but leaves refusals as they are: that function
// makes a text of them.
type adminClient struct {
	address string // as Caddy writes addresses
	origin  string // for the admin API's check of Host and Origin
	local   bool   // a socket without host and port, which sends no Origin
	http    *http.Client
}

const (
	// dialTime bounds how long a connection to the admin API may take.
	dialTime = 10 * time.Second

	// answerTime bounds how long the admin API may take to answer. It is longer
	// than its longest work, a backup, may take.
	answerTime = 40 * time.Minute
)

// connectAdmin makes the client for the Caddy that the flags name. It does not ask
// it anything yet.
func connectAdmin(cmd *cobra.Command) (cli.Client, error) {
	flags := cmd.Flags()
	address, _ := flags.GetString("address")
	config, _ := flags.GetString("config")
	adapter, _ := flags.GetString("adapter")
	address, err := caddycmd.DetermineAdminAPIAddress(address, nil, config, adapter)
	if err != nil {
		return nil, fmt.Errorf("finding the address of the admin API: %w", err)
	}
	return newAdminClient(address)
}

func newAdminClient(address string) (*adminClient, error) {
	at, err := caddy.ParseNetworkAddress(address)
	if err != nil {
		return nil, fmt.Errorf("invalid address of the admin API %q: %w", address, err)
	}
	if at.PortRangeSize() > 1 {
		return nil, fmt.Errorf("invalid address of the admin API %q: it has several ports", address)
	}
	client := &adminClient{address: address, origin: "http://" + at.JoinHostPort(0)}
	if at.IsUnixNetwork() || at.IsFdNetwork() {
		client.local, client.origin = true, "http://127.0.0.1"
		at.Host, _, _ = strings.Cut(at.Host, "|") // the socket's permissions may follow its path
	}
	client.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTime}).DialContext(ctx, at.Network, at.JoinHostPort(0))
		},
		ResponseHeaderTimeout: answerTime,
	}}
	return client, nil
}

// Do implements [cli.Client].
func (c *adminClient) Do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.origin+path, body)
	if err != nil {
		return nil, err
	}
	if !c.local {
		request.Header.Set("Origin", c.origin)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return c.http.Do(request)
}

// String is the address of the admin API.
func (c *adminClient) String() string { return c.address }
