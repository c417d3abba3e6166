package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// crew is a number of people at work.
type crew = sync.WaitGroup

// payersAtOnce bounds those who are shopping; when there are so many, the next
// ones come later.
const payersAtOnce = 300

// callsOfAPayer are for the openid and for the payment.
const callsOfAPayer = 2

// admitPayers lets payers come for as long as the storm lasts.
func (s *soak) admitPayers(storm context.Context) *crew {
	every := callsOfAPayer * time.Minute / time.Duration(s.rate)
	crowd := new(crew)
	places := make(chan struct{}, payersAtOnce)
	crowd.Go(func() {
		arrivals := time.NewTicker(every)
		defer arrivals.Stop()
		for number := 1; pause(storm, 0); number++ {
			select {
			case <-storm.Done():
				return
			case <-arrivals.C:
			}
			places <- struct{}{}
			crowd.Go(func() {
				s.visitor(number).shop()
				<-places
			})
		}
	})
	return crowd
}

// visitor is a customer with habits by chance.
func (s *soak) visitor(number int) *customer {
	dice := s.dice(fmt.Sprint("payer ", number))
	return &customer{
		payer:   s.payer(),
		link:    oneOf(dice, catFood, "/pay/dog-treats", "/pay/bird-seed?ref=soak", fmt.Sprint("/pay/fish?quantity=", 2+dice.IntN(8))),
		button:  oneOf(dice, "pay", "pay", "pay", "pay", "pay", "pay", "pay", "cancel", "fail", ""),
		after:   min(time.Duration(dice.ExpFloat64()*float64(time.Second)), 10*time.Second),
		returns: dice.Float64() < 0.5,
		hasty:   dice.Float64() < 0.2,
		reloads: 1 + dice.IntN(6),
		tries:   5,
	}
}
