package moa.ui

import androidx.compose.foundation.text.BasicText
import androidx.compose.foundation.text.TextAutoSize
import androidx.compose.material3.LocalContentColor
import androidx.compose.material3.LocalTextStyle
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.semantics.text
import androidx.compose.ui.text.AnnotatedString
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.TextUnit
import androidx.compose.ui.unit.sp

/** U+2060, of no width: no line ends here. */
private const val WORD_JOINER = "\u2060"

/** Within a Korean word: between two letters, figures or signs of which one is Hangul. */
private val withinKorean = Regex("(?<=[가-힣])(?=\\S)|(?<=\\S)(?=[가-힣])")

/**
 * A text whose lines end between words. By Unicode's rules a line may end after any syllable of Hangul, which is not how
 * Korean is read, and `LineBreak` does nothing about it outside Android. Read out and found as it was given.
 */
@Composable
fun Words(
    text: String,
    modifier: Modifier = Modifier,
    color: Color = Color.Unspecified,
    style: TextStyle = LocalTextStyle.current,
    align: TextAlign? = null,
    maxLines: Int = Int.MAX_VALUE,
) = Text(
    remember(text) { text.replace(withinKorean, WORD_JOINER) },
    modifier.semantics { this.text = AnnotatedString(text) },
    color = color,
    style = style,
    textAlign = align,
    maxLines = maxLines,
    overflow = if (maxLines == Int.MAX_VALUE) TextOverflow.Clip else TextOverflow.Ellipsis,
)

/** A figure on one line, as large as fits: from the size of its [style] down. Told when it changes. */
@Composable
fun Figure(
    text: String,
    modifier: Modifier = Modifier,
    style: TextStyle = MaterialTheme.typography.displayLarge,
    align: TextAlign = TextAlign.Start,
) = BasicText(
    text,
    modifier.semantics { liveRegion = LiveRegionMode.Polite },
    // Its line is as high as its letters turn out to be.
    style = style.copy(color = LocalContentColor.current, textAlign = align, lineHeight = TextUnit.Unspecified),
    // With an ellipsis a figure would count as fitting without its end.
    overflow = TextOverflow.Clip,
    softWrap = false,
    maxLines = 1,
    autoSize = TextAutoSize.StepBased(minFontSize = 16.sp, maxFontSize = style.fontSize),
)
