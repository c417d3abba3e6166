package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// buildCaddies builds Caddy as it is, and Caddy with the plugin.
func (b *bench) buildCaddies() error {
	for _, build := range []struct {
		name string
		file *string
	}{{"stock", &b.stock}, {"shop", &b.plugin}} {
		*build.file = filepath.Join(b.work, build.name)
		command := exec.Command("go", "build", "-o", *build.file, "./cmd/"+build.name)
		command.Stdout, command.Stderr = os.Stderr, os.Stderr
		if err := command.Run(); err != nil {
			return fmt.Errorf("building Caddy: %w; run this in the folder bench, with Go installed", err)
		}
	}
	return nil
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
	b.launched++
	file = filepath.Join(b.work, fmt.Sprintf("%03d.caddyfile", b.launched))
	return s, file, os.WriteFile(file, fmt.Appendf(nil, `{
	admin %s
	persist_config off
	auto_https off
	storage file_system %s
}
http://%s {
	%s
	root %s
	file_server
}
`, s.admin, folder, s.address, directives, b.site), 0o600)
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
	return b.openCaddy("qfpay_jsapi", b.plugin, folder, b.directive())
}

// directive is the plugin as a shop would configure it, at our gateway. There
// is no limit to lift: the plugin limits callbacks that the gateway refuses,
// and none is refused here.
func (b *bench) directive() string {
	return fmt.Sprintf(`qfpay_jsapi {
		environment http://%s
		pay_page http://%s/q/direct
		app_code %s
		client_key {env.%s}
		merchant_name "Harbour Pets"
		currency HKD
		name bench
		item cat-food 128.00 "Cat food 猫粮"
	}`, b.gateway.address, b.gateway.address, appCode, keyVariable)
}
