package qfpaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// faultView is a fault as the control address reads and shows it.
type faultView struct {
	Call        string    `json:"call,omitempty"`
	Kind        FaultKind `json:"kind"`
	Respcd      string    `json:"respcd,omitempty"`
	Respmsg     string    `json:"respmsg,omitempty"`
	Delay       string    `json:"delay,omitempty"` // as in "1.5s"
	Times       int       `json:"times,omitempty"`
	Probability float64   `json:"probability,omitempty"`
}

func viewOf(f Fault) faultView {
	view := faultView{
		Call:        f.Call,
		Kind:        f.Kind,
		Respcd:      f.Respcd,
		Respmsg:     f.Respmsg,
		Times:       f.Times,
		Probability: f.Probability,
	}
	if f.Delay != 0 {
		view.Delay = f.Delay.String()
	}
	return view
}

func (view faultView) fault() (Fault, error) {
	f := Fault{
		Call:        view.Call,
		Kind:        view.Kind,
		Respcd:      view.Respcd,
		Respmsg:     view.Respmsg,
		Times:       view.Times,
		Probability: view.Probability,
	}
	if view.Delay != "" {
		var err error
		if f.Delay, err = time.ParseDuration(view.Delay); err != nil {
			return Fault{}, fmt.Errorf("delay %q is not a duration", view.Delay)
		}
	}
	return f, f.validate()
}

// readFault reads a fault from a JSON body or from a form.
func readFault(r *http.Request) (Fault, error) {
	r.Body = io.NopCloser(io.LimitReader(r.Body, maxBody))
	read := readFaultForm
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && mediaType == "application/json" {
		read = readFaultJSON
	}
	view, err := read(r)
	if err != nil {
		return Fault{}, err
	}
	return view.fault()
}

func readFaultJSON(r *http.Request) (view faultView, err error) {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&view)
	return view, err
}

// readFaultForm takes empty fields as absent, as browsers send them.
func readFaultForm(r *http.Request) (view faultView, err error) {
	if err = r.ParseForm(); err != nil {
		return view, errors.New("the form cannot be read")
	}
	view = faultView{
		Call:    r.PostForm.Get("call"),
		Kind:    FaultKind(r.PostForm.Get("kind")),
		Respcd:  r.PostForm.Get("respcd"),
		Respmsg: r.PostForm.Get("respmsg"),
		Delay:   r.PostForm.Get("delay"),
	}
	if times := r.PostForm.Get("times"); times != "" {
		if view.Times, err = strconv.Atoi(times); err != nil {
			return view, fmt.Errorf("times %q is not a whole number", times)
		}
	}
	if probability := r.PostForm.Get("probability"); probability != "" {
		if view.Probability, err = strconv.ParseFloat(probability, 64); err != nil {
			return view, fmt.Errorf("probability %q is not a number", probability)
		}
	}
	return view, nil
}
