package mailtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail/mailtest"
)

const wechat = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0.50"

// program builds Caddy, once.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "mailtest")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "caddy"), "./cmd/caddy")
	build.Dir, build.Stderr = "../../..", os.Stderr
	return filepath.Join(folder, "caddy"), build.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, _ := program(); file != "" {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// shop is a running Caddy with a shop and its gateway.
type shop struct {
	t                    *testing.T
	site, gateway, admin string // URLs
	folder, log          string
}

// openShop runs a shop whose mails go to a server.
func openShop(t *testing.T, server string) *shop {
	t.Helper()
	file, err := program()
	require.NoError(t, err)
	at := func() string {
		address := mailtest.FreeAddress(t)
		return "http://localhost" + address[strings.LastIndex(address, ":"):]
	}
	s := &shop{t: t, site: at(), gateway: at(), admin: at(), folder: t.TempDir()}
	s.log = filepath.Join(s.folder, "log")
	caddyfile := filepath.Join(s.folder, "Caddyfile")
	require.NoError(t, os.WriteFile(caddyfile, []byte(s.caddyfile(server)), 0o600))
	log, err := os.Create(s.log)
	require.NoError(t, err)
	defer log.Close()
	process := exec.Command(file, "run", "--config", caddyfile, "--adapter", "caddyfile")
	process.Stdout, process.Stderr = log, log
	process.Env = append(os.Environ(), "XDG_DATA_HOME="+s.folder, "XDG_CONFIG_HOME="+s.folder, "TEST_MAIL_URL="+server)
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
		if text, _ := os.ReadFile(s.log); t.Failed() {
			t.Log(string(text))
		}
	})
	s.eventually(10*time.Second, "Caddy runs", func() bool {
		answer, err := http.Get(s.site)
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	return s
}

func (s *shop) caddyfile(server string) string {
	return strings.NewReplacer("SITE", s.site, "GATEWAY", s.gateway, "ADMIN", strings.TrimPrefix(s.admin, "http://"), "FOLDER", s.folder).Replace(`{
	admin ADMIN
	auto_https off
	metrics
}
SITE {
	qfpay_jsapi {
		environment GATEWAY
		pay_page GATEWAY/q/direct
		public_url SITE
		app_code TESTAPPCODE
		client_key {$TEST_CLIENT_KEY:only-for-the-tests}
		merchant_name "Harbour Pets"
		currency HKD
		item cat-food 128.00 "Cat food 貓糧"
		field email
		field address
		ledger sqlite FOLDER/ledger.db
		mail {env.TEST_MAIL_URL} {
			from shop@example.com
			to owner@example.com
			receipt email
			orders_url SITE/orders
		}
	}
	respond "a shop"
}
GATEWAY {
	qfpay_simulator {
		app_code TESTAPPCODE
		client_key {$TEST_CLIENT_KEY:only-for-the-tests}
		notify_url SITE/pay/notify
		strict
		any_port
	}
}
`)
}

func (s *shop) eventually(within time.Duration, what string, holds func() bool) {
	s.t.Helper()
	require.Eventually(s.t, holds, within, 50*time.Millisecond, what)
}

var orderInAddress = regexp.MustCompile(`/callback/([0-9A-Z]{26})`)

// order begins an order of a payer who gives an address, up to the pay page.
func (s *shop) order(address string) string {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	order := ""
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if found := orderInAddress.FindStringSubmatch(r.URL.Path); found != nil {
			order = found[1]
		}
		return nil
	}}
	form := url.Values{"email": {address}, "address": {"8 Queen’s Road\nCentral"}}
	request, err := http.NewRequest(http.MethodPost, s.site+"/pay/cat-food", strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", wechat)
	request.Header.Set("Accept-Language", "zh-HK,zh;q=0.9")
	answer, err := browser.Do(request)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, answer.StatusCode, string(text))
	require.NotEmpty(s.t, order, string(text))
	return order
}

func (s *shop) pay(order string) { s.post(s.gateway + "/control/trades/" + order + "/pay") }

func (s *shop) post(address string) {
	s.t.Helper()
	s.postJSON(address, nil)
}

func (s *shop) postJSON(address string, body any) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(s.t, err)
	if body == nil {
		raw = nil
	}
	request, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(raw))
	require.NoError(s.t, err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	require.Less(s.t, answer.StatusCode, 400, string(text))
}

// deliveries are what became of telling others of an order, such as "order.paid
// mail-payer delivered".
func (s *shop) deliveries(order string) (all []string) {
	s.t.Helper()
	answer, err := http.Get(s.admin + "/qfpay_jsapi/orders/" + order)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	var detail struct {
		Deliveries []struct{ Event, Endpoint, Status string }
	}
	require.NoError(s.t, json.NewDecoder(answer.Body).Decode(&detail))
	for _, d := range detail.Deliveries {
		all = append(all, strings.Join([]string{d.Event, d.Endpoint, d.Status}, " "))
	}
	return all
}

// arrived waits for so many mails to an address, and returns them.
func arrived(s *shop, server *mailtest.Server, within time.Duration, address string, count int) (mails []mailtest.Mail) {
	s.t.Helper()
	s.eventually(within, fmt.Sprintf("%d mails to %s", count, address), func() bool {
		mails = nil
		for _, one := range server.Mails() {
			if one.To[0].Address == address {
				mails = append(mails, one)
			}
		}
		return len(mails) >= count
	})
	require.Len(s.t, mails, count)
	return mails
}

// said is everything that the log and the metrics say.
func (s *shop) said() string {
	s.t.Helper()
	log, err := os.ReadFile(s.log)
	require.NoError(s.t, err)
	answer, err := http.Get(s.admin + "/metrics")
	require.NoError(s.t, err)
	defer answer.Body.Close()
	metrics, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return string(log) + string(metrics)
}

func TestMailsTellTheOwnerAndThePayerWhatHappened(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, mailtest.Config{Account: true})
	s := openShop(t, string(urlOf("smtp", server.SMTP, mailtest.Password)))

	order := s.order(payer)
	time.Sleep(300 * time.Millisecond)
	require.Empty(t, server.Mails(), "nothing is paid")

	s.pay(order)
	told := arrived(s, server, 10*time.Second, owner, 1)[0]
	assert.Equal(t, "Paid: HK$128.00, Cat food 貓糧", told.Subject)
	for _, text := range []string{"8 Queen’s Road", payer, s.site + "/orders?order=" + order} {
		assert.Contains(t, told.Text, text)
	}
	receipt := arrived(s, server, 10*time.Second, payer, 1)[0]
	assert.Equal(t, "Harbour Pets 的收據：HK$128.00", receipt.Subject, "in the language of the pages")
	assert.Contains(t, receipt.Text, s.site+"/pay/return/"+order)
	assert.NotContains(t, receipt.Text+receipt.HTML, "Queen", "payers' own words are in no mail to an address that they name")
	assert.Equal(t, "shop@example.com", receipt.From.Address)

	s.postJSON(s.admin+"/qfpay_jsapi/orders/"+order+"/fulfil", map[string]string{"note": "SF 1234"})
	sent := arrived(s, server, 10*time.Second, payer, 2)[1]
	assert.Contains(t, sent.Text, "SF 1234")
	arrived(s, server, 10*time.Second, owner, 1)
	s.eventually(10*time.Second, "all is delivered", func() bool {
		all := s.deliveries(order)
		return len(all) == 3 && !strings.Contains(strings.Join(all, " "), " due")
	})
	said := s.said()
	assert.Contains(t, said, `caddy_qfpay_jsapi_mail_deliveries_total{name=`)
	for _, secret := range []string{payer, owner, mailtest.Password, url.QueryEscape(mailtest.Password), "Queen", "SF 1234"} {
		assert.NotContains(t, said, secret)
	}
}

func TestAMailThatTheServerRefusesForGoodIsGivenUpAndTheOwnerIsTold(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, mailtest.Config{Recipient: `^owner@example\.com$`})
	s := openShop(t, string(urlOf("smtp", server.SMTP, "")))
	order := s.order(payer)
	s.pay(order)
	mails := arrived(s, server, 15*time.Second, owner, 2)
	lost := mails[1]
	if strings.HasPrefix(lost.Subject, "Paid: ") { // which of both comes first is not promised
		lost = mails[0]
	}
	assert.Contains(t, lost.Text, "order.paid")
	assert.Contains(t, lost.Text, "mail to the payer by "+server.SMTP)
	assert.Contains(t, lost.Text, s.site+"/orders?order="+order)
	assert.NotContains(t, lost.Text, payer)
	assert.Contains(t, s.deliveries(order), "order.paid mail to the payer by "+server.SMTP+" gave_up")
	assert.NotContains(t, s.said(), payer)
}

// It waits for the second attempt, which comes a minute after the first.
func TestMailsWaitForAServerThatIsDown(t *testing.T) {
	t.Parallel()
	address := mailtest.FreeAddress(t)
	s := openShop(t, string(urlOf("smtp", address, "")))
	order := s.order(payer)
	s.pay(order)
	s.eventually(20*time.Second, "both mails were tried", func() bool { return strings.Count(s.said(), "mail not delivered") == 2 })
	server := mailtest.Start(t, mailtest.Config{Address: address})
	assert.Empty(t, server.Mails())
	arrived(s, server, 90*time.Second, owner, 1)
	arrived(s, server, 90*time.Second, payer, 1)
	s.eventually(10*time.Second, "both are done with", func() bool {
		return strings.Count(strings.Join(s.deliveries(order), " "), " delivered") == 2
	})
}
