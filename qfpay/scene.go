package qfpay

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// maxSiteName bounds the shop's name in bytes, as on the pay page. It is ours:
// QFPay's documentation gives none for WeChat Pay H5.
const maxSiteName = 128

// scene is the extend_info of WeChat Pay H5, in the order of the documentation:
// the shop's site, and whose phone it is.
type scene struct {
	Info struct {
		H5 struct {
			Type string `json:"type"`
			URL  string `json:"wap_url"`
			Name string `json:"wap_name"`
		} `json:"h5_info"`
	} `json:"scene_info"`
	ClientIP string `json:"spbill_create_ip"`
}

func (p Payment) scene() string {
	var s scene
	s.Info.H5.Type, s.Info.H5.URL, s.Info.H5.Name = "Wap", p.Site, Truncate(p.SiteName, maxSiteName)
	s.ClientIP = p.clientIP()
	return compactJSON(s)
}

// clientIP is the address as others know it: without the name of an interface, and
// an IPv4 address as such.
func (p Payment) clientIP() string {
	address, err := netip.ParseAddr(p.ClientIP)
	if err != nil {
		return ""
	}
	return address.Unmap().WithZone("").String()
}

// checkScene never repeats the payer's address.
func (p Payment) checkScene() error {
	if p.Method != MethodWeChat {
		if p.Site != "" || p.SiteName != "" || p.ClientIP != "" {
			return errors.New("wap_url, wap_name and spbill_create_ip are for WeChat Pay H5 only")
		}
		return nil
	}
	if err := remote.CheckAddress(p.Site, maxWalletURL); err != nil {
		return fmt.Errorf("wap_url %w", err)
	}
	if p.SiteName == "" {
		return errors.New("wap_name is missing")
	}
	if p.clientIP() == "" {
		return errors.New("spbill_create_ip must be an IP address")
	}
	return checkText("wap_name", p.SiteName)
}
