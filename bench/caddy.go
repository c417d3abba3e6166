package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// buildCaddies builds Caddy as it is, and Caddy with the plugin.
func (b *bench) buildCaddies() (err error) {
	if b.stock, err = b.build("stock"); err != nil {
		return err
	}
	b.plugin, err = b.build("shop")
	return err
}

// build builds one of the programs in cmd.
func (b *bench) build(name string) (binary string, err error) {
	binary = filepath.Join(b.work, name)
	command := exec.Command("go", "build", "-o", binary, "./cmd/"+name)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("building Caddy: %w; run this in the folder bench, with Go installed", err)
	}
	return binary, nil
}

// site is what is in the static folder of all Caddies.
const page = `<!doctype html><meta charset="utf-8"><title>Harbour Pets</title><p>Cat food, dog treats, goldfish bowls.
<p><a href="/pay/cat-food">Buy cat food</a>
`

// makeSite writes the static site.
func (b *bench) makeSite() error {
	b.site = filepath.Join(b.work, "site")
	if err := os.Mkdir(b.site, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.site, "index.html"), []byte(page), 0o644)
}

// openCaddy runs a Caddy whose one site has the given directives beside its
// static files, and whose data is in folder.
func (b *bench) openCaddy(name, binary, folder, directives string) (*shop, error) {
	s, file, err := b.prepareCaddy(name, folder, directives)
	if err != nil {
		return nil, err
	}
	return s, b.runCaddy(s, binary, file)
}

// prepareCaddy writes a Caddyfile for a Caddy that does not run yet.
func (b *bench) prepareCaddy(name, folder, directives string) (s *shop, file string, err error) {
	s = &shop{name: name, address: freeAddress(), admin: freeAddress(), gateway: b.gateway.address}
	file, err = b.writeCaddyfile(s, folder, fmt.Sprintf(`http://%s {
	%s
	root %s
	file_server
}
`, s.address, directives, b.site))
	return s, file, err
}

// writeCaddyfile writes the configuration of a Caddy with some sites.
func (b *bench) writeCaddyfile(s *shop, folder, sites string) (file string, err error) {
	b.launched++
	file = filepath.Join(b.work, fmt.Sprintf("%03d.caddyfile", b.launched))
	return file, os.WriteFile(file, fmt.Appendf(nil, `{
	admin %s
	persist_config off
	auto_https off
	storage file_system %s
}
%s`, s.admin, folder, sites), 0o600)
}

// runCaddy starts a prepared Caddy and returns when it serves.
func (b *bench) runCaddy(s *shop, binary, file string) error {
	p, err := b.launch(s.name, nil, binary, "run", "--config", file, "--adapter", "caddyfile")
	if err != nil {
		return err
	}
	s.processes = append(s.processes, p)
	return p.ready(s.address, "/")
}

// openPlugin runs a shop of ours.
func (b *bench) openPlugin(folder string) (*shop, error) {
	return b.openCaddy(ours, b.plugin, folder, b.directive(folder))
}

// shopName is the name of the shop in its ledger.
const shopName = "bench"

// directive is the plugin as a shop would configure it, at our gateway, with its
// ledger in a file in folder. There is no limit to lift: the plugin limits
// callbacks that the gateway refuses, and none is refused here.
func (b *bench) directive(folder string) string {
	return b.directiveOf(shopName, appCode, "sqlite "+ledgerIn(folder))
}

// directiveOf is the same for a shop with an account and a ledger of its own.
func (b *bench) directiveOf(name, account, ledger string) string {
	return fmt.Sprintf(`qfpay_jsapi {
		environment http://%s
		pay_page http://%s/q/direct
		app_code %s
		client_key {env.%s}
		merchant_name "Harbour Pets"
		currency HKD
		name %s
		ledger %s
		item cat-food 128.00 "Cat food 猫粮"
	}`, b.gateway.address, b.gateway.address, account, keyVariable, name, ledger)
}

// ledgerIn is the file of a ledger.
func ledgerIn(folder string) string { return filepath.Join(folder, "ledger.db") }
