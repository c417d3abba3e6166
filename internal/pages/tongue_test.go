package pages

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLanguages(t *testing.T) {
	for accept, want := range map[string]string{
		"":                           "en",
		"en-GB,en;q=0.9":             "en",
		"fr-FR":                      "en",
		"zh":                         "zh-Hans",
		"zh-CN,zh;q=0.9,en;q=0.8":    "zh-Hans",
		"zh-SG":                      "zh-Hans",
		"zh-Hans-HK":                 "zh-Hans",
		"zh-HK":                      "zh-Hant",
		"zh-TW,zh;q=0.9,en-US;q=0.8": "zh-Hant",
		"zh-MO":                      "zh-Hant",
		"zh-Hant":                    "zh-Hant",
		"fr, zh-TW;q=0.5, en;q=0.1":  "zh-Hant",
		"en;q=0.2, zh-CN":            "zh-Hans",
		"nonsense;;q=;":              "en",
		strings.Repeat("zh-", 50000): "en",
	} {
		assert.Equal(t, want, preferred([]string{accept}).tag, "%.40q", accept)
	}
	assert.Equal(t, "zh-Hant", preferred([]string{"fr", "zh-HK"}).tag)
	assert.Equal(t, "en", preferred(nil).tag)
}

func TestTextsAreCompleteInEveryLanguage(t *testing.T) {
	want := slices.Sorted(maps.Keys(tongues[0].texts))
	for _, other := range tongues {
		assert.Equal(t, want, slices.Sorted(maps.Keys(other.texts)), other.tag)
		for key, text := range other.texts {
			assert.Equal(t, text, strings.TrimSpace(text), "%s %s", other.tag, key)
			assert.NotEmpty(t, text, "%s %s", other.tag, key)
			assert.Equal(t, strings.Count(tongues[0].texts[key], "%"), strings.Count(text, "%"), "%s %s", other.tag, key)
		}
	}
}

func TestChineseIsWrittenInItsOwnScript(t *testing.T) {
	hans, hant := tongues[1].texts, tongues[2].texts
	for _, text := range hans {
		assert.False(t, strings.ContainsAny(text, "這個單為開掃碼認還沒時間請會錢務無網號"), text)
	}
	for _, text := range hant {
		assert.False(t, strings.ContainsAny(text, "这单为开扫码认还时间请会钱务无网号"), text)
	}
}

// Every text is there for a page: without it some page cannot be rendered.
func TestEveryTextIsUsed(t *testing.T) {
	pages := samples(sampleOrder())
	for key := range tongues[0].texts {
		if strings.HasPrefix(key, "field.") {
			continue // an input without one is called by its name
		}
		texts := maps.Clone(tongues[0].texts)
		delete(texts, key)
		without := &tongue{tag: "en", texts: texts, locale: tongues[0].locale}
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Values(pages)), func(page Page) bool {
			s, err := builtin.newScreen(without, page)
			require.NoError(t, err)
			_, err = s.render()
			return err != nil
		}), key)
	}
}

func TestInputsThatManyShopsAskForAreCalledByWords(t *testing.T) {
	for _, tongue := range tongues {
		s := &screen{tongue: tongue}
		for name := range modes {
			assert.NotEqual(t, name, s.Label(name), tongue.tag)
		}
		assert.Equal(t, "dog_size", s.Label("dog_size"))
	}
}

func TestMistakesInTheProgramAreLoud(t *testing.T) {
	assert.Panics(t, func() { newTongue("xx") })
	assert.Panics(t, func() { mustRead("templates/none") })
}
