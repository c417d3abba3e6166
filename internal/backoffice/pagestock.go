package backoffice

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// stockPage shows how much there is of each item that has stock, with a form to say
// so.
func (p *Pages) stockPage(w http.ResponseWriter, r *http.Request) error {
	return p.showStock(w, r, http.StatusOK, count{})
}

// count is how many pieces there are of an item, as the owner says.
type count struct {
	shop, item, typed string
	was               string // what there was when the form was made; see [stockState]
}

// stockState is what there is of an item, as its form carries it: a count that was
// made of something else is not set.
func stockState(row StockRow) string {
	return fmt.Sprint(row.Available, "-", row.Reserved, "-", row.Counted.UnixNano())
}

// showStock shows the page, with a count that was not set because there is not any
// more what its form showed.
func (p *Pages) showStock(w http.ResponseWriter, r *http.Request, status int, tried count) error {
	rows, err := p.Office.stock(r.Context())
	if err != nil {
		return err
	}
	page := pages.Stock{Presets: p.Office.views(ledger.Period{}, true), Shops: p.Office.hasSeveral(), Zone: p.Office.zones(), URL: stockURL}
	session, done := p.session(w, r), r.URL.Query().Get("done")
	for _, row := range rows {
		shown := pages.StockItem{
			Item: row.Item, Name: row.Name, Shop: p.Office.shopName(row.Shop), Available: row.Available, Reserved: row.Reserved, Counted: row.Counted,
			Done: done == row.Shop+"."+row.Item && !row.Counted.IsZero(),
		}
		if tried.shop == row.Shop && tried.item == row.Item {
			shown.Changed, shown.Typed = true, tried.typed
		}
		if seal := p.Seal(row.Shop); seal != nil {
			made := count{shop: row.Shop, item: row.Item, was: stockState(row)}
			shown.Hidden = []pages.Pair{
				{Name: "shop", Value: row.Shop}, {Name: "item", Value: row.Item}, {Name: "was", Value: made.was}, {Name: "token", Value: seal.Form(made.parts(session)...)},
			}
		}
		page.Items = append(page.Items, shown)
	}
	return pages.Write(w, r, status, page)
}

// countStock does what the form of an item asks for, guarded as all forms are.
func (p *Pages) countStock(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	form := r.PostForm
	asked := count{form.Get("shop"), form.Get("item"), strings.TrimSpace(form.Get("available")), form.Get("was")}
	office, err := p.Office.Only(asked.shop)
	if err != nil || !p.isOurs(r, asked.shop, asked.parts) {
		return problem{kind: pages.Forged}
	}
	available, err := strconv.ParseInt(asked.typed, 10, 64)
	if err != nil {
		return Deny(http.StatusBadRequest, "how many pieces there are must be a whole number")
	}
	row, err := office.stockRow(r.Context(), asked.item)
	if err != nil {
		return err
	}
	isSame := stockState(row) == asked.was
	if !isSame && row.Available != available { // else it is so already, as after a second click
		return p.showStock(w, r, http.StatusConflict, asked)
	}
	if isSame {
		p.Log.Info("asked for on the orders page", zap.String("do", "stock"), zap.String("shop", asked.shop), zap.String("item", asked.item),
			zap.Int64("available", available), zap.String("user", p.User(r)))
		if _, err := office.setStock(r.Context(), asked.item, available); err != nil {
			return err
		}
	}
	return goOn(w, stockURL+"&"+url.Values{"done": {asked.shop + "." + asked.item}}.Encode())
}

// parts are what the form of a count is sealed for.
func (c count) parts(session string) []string {
	return []string{session, c.shop, c.item, "stock", c.was}
}

// stockURL is the page of what there is.
const stockURL = "?stock=1"
