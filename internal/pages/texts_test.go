package pages

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTextsAreCompleteInEveryLanguage(t *testing.T) {
	want := slices.Sorted(maps.Keys(texts.Tongues[0].Texts))
	for _, other := range texts.Tongues {
		assert.Equal(t, want, slices.Sorted(maps.Keys(other.Texts)), other.Tag)
		for key, text := range other.Texts {
			assert.Equal(t, text, strings.TrimSpace(text), "%s %s", other.Tag, key)
			assert.NotEmpty(t, text, "%s %s", other.Tag, key)
			assert.Equal(t, strings.Count(texts.Tongues[0].Texts[key], "%"), strings.Count(text, "%"), "%s %s", other.Tag, key)
		}
	}
}

func TestChineseIsWrittenInItsOwnScript(t *testing.T) {
	hans, hant := texts.Tongues[1].Texts, texts.Tongues[2].Texts
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
	for key := range texts.Tongues[0].Texts {
		if strings.HasPrefix(key, "field.") {
			continue // an input without one is called by its name
		}
		kept := maps.Clone(texts.Tongues[0].Texts)
		delete(kept, key)
		english := *texts.Tongues[0]
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
	for _, tongue := range texts.Tongues {
		s := &screen{tongue: tongue}
		for name := range modes {
			assert.NotEqual(t, name, s.Label(name), tongue.Tag)
		}
		assert.Equal(t, "dog_size", s.Label("dog_size"))
	}
}

func TestMistakesInTheProgramAreLoud(t *testing.T) {
	assert.Panics(t, func() { mustRead("templates/none") })
}
