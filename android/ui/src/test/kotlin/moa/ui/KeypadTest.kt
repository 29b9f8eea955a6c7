package moa.ui

import kotlin.test.assertEquals
import org.junit.jupiter.api.Test

class KeypadTest {
    @Test
    fun `digits go to the right, and the last one comes off`() {
        val keypad = Keypad()
        for (key in listOf("0", "4", "5", "00", "0")) keypad.press(key)
        assertEquals(45_000, keypad.number)
        keypad.erase()
        assertEquals(4_500, keypad.number)
        keypad.clear()
        assertEquals(0, keypad.number)
    }

    @Test
    fun `what was put in beforehand goes with the first key, but not with erase`() {
        assertEquals(7, Keypad(2_250).apply { press("7") }.number)
        assertEquals(225, Keypad(2_250).apply { erase() }.number)
    }

    @Test
    fun `an amount ends at twelve digits`() {
        val keypad = Keypad()
        repeat(20) { keypad.press("9") }
        assertEquals(999_999_999_999, keypad.number)
        keypad.press("00")
        assertEquals(999_999_999_999, keypad.number)
    }
}
