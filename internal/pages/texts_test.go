package pages

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
)

// Every text is there for a page: without it some page cannot be rendered.
func TestEveryTextIsUsed(t *testing.T) {
	pages := samples(sampleOrder())
	for key := range texts.Locales[0].Texts {
		kept := maps.Clone(texts.Locales[0].Texts)
		delete(kept, key)
		english := *texts.Locales[0]
		english.Texts = kept
		without := &english
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Values(pages)), func(page Page) bool {
			s, err := builtin.newScreen(without, page)
			require.NoError(t, err)
			_, err = s.render()
			return err != nil
		}), key)
	}
}

func TestInputsThatManyShopsAskForAreCalledByWords(t *testing.T) {
	for _, language := range texts.Locales {
		s := &screen{locale: language}
		for name := range modes {
			assert.NotEqual(t, name, s.Label(name), language.Tag)
		}
		assert.Equal(t, "dog_size", s.Label("dog_size"))
	}
}

func TestMistakesInTheProgramAreLoud(t *testing.T) {
	assert.Panics(t, func() { mustRead("templates/none") })
}

// WeChat refuses to open its sheet for an order that is paid, too.
func TestASheetThatDidNotOpenSaysNothingOfMoney(t *testing.T) {
	for tag, charged := range map[string]string{
		"en": "charged", "zh-Hans": "扣款", "zh-Hant": "扣款", "zh-TW": "扣款", "ja": "引き落と", "th": "เรียกเก็บเงิน", "id": "dipotong",
	} {
		i := slices.IndexFunc(texts.Locales, func(l *locale.Locale) bool { return l.Tag == tag })
		require.GreaterOrEqual(t, i, 0, tag)
		assert.Contains(t, texts.Locales[i].Texts["sheet.cancelled"], charged)
		assert.NotContains(t, texts.Locales[i].Texts["sheet.failed"], charged)
	}
}
