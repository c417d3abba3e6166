package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// notebook is a folder in which the durable program keeps what it must not
// forget: three files for each payment, which are on the disk before the payer
// is sent to pay, and a fourth before the gateway is told that the shop knows of
// the payment.
type notebook string

func (n notebook) remember(order, fact string, value any) error {
	folder := n.folder(order)
	if fact == "open" {
		folder, fact = filepath.Join(string(n), "open"), order
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return writeSynced(filepath.Join(folder, fact+".json"), text)
}

// writeSynced writes a file as Caddy's file storage does: another file, synced,
// takes its name. The folder is not synced, here or there.
func writeSynced(name string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), "")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails when all went well
	if _, err := file.Write(text); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

func (n notebook) paid(order string) bool {
	_, err := os.ReadFile(filepath.Join(n.folder(order), "paid.json"))
	return err == nil
}

// folder of an order lies by the day, which a run of the benchmarks may cross;
// the order's paid fact is then looked for in vain, and the gateway asked.
func (n notebook) folder(order string) string {
	return filepath.Join(string(n), "orders", time.Now().Format("2006/01/02"), filepath.Base(order))
}
