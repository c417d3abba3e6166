package qfpayjsapi

import "net/http"

// shopView is one qfpay_jsapi block of the running configuration.
type shopView struct {
	Name         string `json:"name"` // of its ledger
	MerchantName string `json:"merchant_name"`
	Currency     string `json:"currency"`
	Path         string `json:"path"`
	PublicURL    string `json:"public_url,omitempty"`
	Invoices     bool   `json:"invoices"` // whether it takes them
}

func listShops(app *App, w http.ResponseWriter, _ *http.Request) error {
	views := make([]shopView, len(app.shops))
	for i, shop := range app.shops {
		views[i] = shopView{shop.Name, shop.MerchantName, shop.Currency, shop.Path, shop.PublicURL, shop.shop.Invoices != nil}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"shops": views})
}
