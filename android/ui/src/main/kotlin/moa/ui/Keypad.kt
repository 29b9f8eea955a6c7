package moa.ui

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableLongStateOf
import androidx.compose.runtime.setValue

/** A number as it is keyed in: minor units or points. What was put in beforehand goes with the first key. */
class Keypad(beforehand: Long = 0) {
    var number by mutableLongStateOf(beforehand)
        private set
    private var untouched = true

    /** Digits, one or more; keys beyond [MOST_DIGITS] do nothing. */
    fun press(digits: String) {
        val longer = ((if (untouched) "" else number.toString()) + digits).trimStart('0')
        if (longer.length > MOST_DIGITS) return
        number = longer.toLongOrNull() ?: 0
        untouched = false
    }

    /** Takes the last digit away. */
    fun erase() {
        number /= 10
        untouched = false
    }

    /** Back to nothing. */
    fun clear() {
        number = 0
        untouched = true
    }

    private companion object {
        const val MOST_DIGITS = 12
    }
}
