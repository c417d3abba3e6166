package pages

import "net/http"

// Kind is a reason why a request could not be served. It is an error, whose
// text is short, stable English for JSON answers and logs.
type Kind string

// The kinds of problems.
const (
	// NothingChosen is a pay link without an item.
	NothingChosen Kind = "nothing_chosen"
	// BadLink is a pay link, or a form, that cannot be read or says two things.
	BadLink Kind = "bad_link"
	// BadQuantity is a quantity that the item cannot be bought in.
	BadQuantity Kind = "bad_quantity"
	// BadRef is a reference that is too long.
	BadRef Kind = "bad_ref"
	// BadCart is a cart that cannot be understood, or is too long.
	BadCart Kind = "bad_cart"
	// BadAmount is an amount that cannot be paid.
	BadAmount Kind = "bad_amount"
	// BadField is a detail for the shop that is missing or cannot be taken.
	BadField Kind = "bad_field"
	// BadRealName is a name or an id card that cannot be right.
	BadRealName Kind = "bad_real_name"
	// BadInvoice is an invoice link that the shop did not sign.
	BadInvoice Kind = "bad_invoice"
	// WrongInvoice is an invoice link that the shop signed, and that asks for what
	// cannot be paid.
	WrongInvoice Kind = "wrong_invoice"
	// InvoiceEarly is an invoice that can be paid from later on.
	InvoiceEarly Kind = "invoice_early"
	// InvoiceExpired is an invoice that could be paid until earlier.
	InvoiceExpired Kind = "invoice_expired"
	// InvoiceUsed is an invoice that has been paid.
	InvoiceUsed Kind = "invoice_used"
	// TakenElsewhere is an order or an invoice that is just being paid in
	// another browser.
	TakenElsewhere Kind = "taken_elsewhere"
	// UnknownWallet is a way of paying that the shop does not offer.
	UnknownWallet Kind = "unknown_wallet"
	// BadHost is a host that cannot be part of an address.
	BadHost Kind = "bad_host"
	// MissingCode is a return from WeChat without its code.
	MissingCode Kind = "missing_code"
	// OtherBrowser is a payment that this browser did not start, or has
	// forgotten.
	OtherBrowser Kind = "other_browser"
	// UnknownItem is an item that the shop does not have.
	UnknownItem Kind = "unknown_item"
	// UnknownOrder is an order that does not exist.
	UnknownOrder Kind = "unknown_order"
	// WrongMethod is an HTTP method that the address does not answer.
	WrongMethod Kind = "wrong_method"
	// SoldOut is an item of which there is not enough left.
	SoldOut Kind = "sold_out"
	// Expired is a payment that was started too long ago.
	Expired Kind = "expired"
	// TooLarge is a request body above the limit.
	TooLarge Kind = "too_large"
	// WrongType is a request body in an unknown format.
	WrongType Kind = "wrong_type"
	// TooMany is too many attempts from one client.
	TooMany Kind = "too_many"
	// GatewayRefused is a clear no from the payment service.
	GatewayRefused Kind = "gateway_refused"
	// PayerRefused is a clear no from the payer's wallet, bank, or WeChat.
	PayerRefused Kind = "payer_refused"
	// GatewayBroke is an answer from the payment service that makes no sense.
	GatewayBroke Kind = "gateway_broke"
	// CodeRefused is a WeChat sign-in that could not be confirmed twice.
	CodeRefused Kind = "code_refused"
	// LedgerDown is a ledger that cannot be written.
	LedgerDown Kind = "ledger_down"
	// GatewayBusy is a payment service that asks for patience.
	GatewayBusy Kind = "gateway_busy"
	// GatewaySilent is a payment service that does not answer in time.
	GatewaySilent Kind = "gateway_silent"
	// Internal is a fault of our own.
	Internal Kind = "internal"
)

// kinds lists every kind with its status and its sentence.
var kinds = []struct {
	kind     Kind
	status   int
	sentence string
}{
	{NothingChosen, http.StatusBadRequest, "nothing chosen"},
	{BadLink, http.StatusBadRequest, "pay link not understood"},
	{BadQuantity, http.StatusBadRequest, "bad quantity"},
	{BadRef, http.StatusBadRequest, "reference too long"},
	{BadCart, http.StatusBadRequest, "bad cart"},
	{BadAmount, http.StatusBadRequest, "bad amount"},
	{BadField, http.StatusBadRequest, "detail missing or not accepted"},
	{BadRealName, http.StatusBadRequest, "name or id card not accepted"},
	{BadInvoice, http.StatusForbidden, "invoice not valid"},
	{WrongInvoice, http.StatusBadRequest, "invoice made with a mistake"},
	{InvoiceEarly, http.StatusForbidden, "invoice not payable yet"},
	{InvoiceExpired, http.StatusGone, "invoice expired"},
	{InvoiceUsed, http.StatusGone, "invoice paid already"},
	{TakenElsewhere, http.StatusForbidden, "being paid elsewhere"},
	{UnknownWallet, http.StatusBadRequest, "unknown wallet"},
	{BadHost, http.StatusBadRequest, "host not understood"},
	{MissingCode, http.StatusBadRequest, "missing code"},
	{OtherBrowser, http.StatusForbidden, "started in another browser"},
	{UnknownItem, http.StatusNotFound, "unknown item"},
	{UnknownOrder, http.StatusNotFound, "unknown order"},
	{WrongMethod, http.StatusMethodNotAllowed, "method not allowed"},
	{SoldOut, http.StatusConflict, "sold out"},
	{Expired, http.StatusGone, "payment expired"},
	{TooLarge, http.StatusRequestEntityTooLarge, "request too large"},
	{WrongType, http.StatusUnsupportedMediaType, "unsupported content type"},
	{TooMany, http.StatusTooManyRequests, "too many attempts"},
	{GatewayRefused, http.StatusBadGateway, "payment service refused"},
	{PayerRefused, http.StatusBadGateway, "wallet refused"},
	{GatewayBroke, http.StatusBadGateway, "payment service gave no sensible answer"},
	{CodeRefused, http.StatusBadGateway, "sign-in could not be confirmed"},
	{LedgerDown, http.StatusServiceUnavailable, "ledger unavailable"},
	{GatewayBusy, http.StatusServiceUnavailable, "payment service busy"},
	{GatewaySilent, http.StatusGatewayTimeout, "payment service did not answer"},
	{Internal, http.StatusInternalServerError, "internal error"},
}

// Kinds returns every kind of problem.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

// Status returns the HTTP status of an answer about k: 500 for a kind that is
// not known.
func (k Kind) Status() int {
	return kinds[k.index()].status
}

// Error returns a short, stable English sentence for JSON answers and logs.
func (k Kind) Error() string {
	return kinds[k.index()].sentence
}

// index finds k in kinds; a kind that is not known counts as the last one,
// Internal.
func (k Kind) index() int {
	for i := range kinds {
		if kinds[i].kind == k {
			return i
		}
	}
	return len(kinds) - 1
}
