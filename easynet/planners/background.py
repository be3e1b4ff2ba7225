"""What people ask assistants for in general: a request nearer to one of these than to any capability is none
of ours. Each is one sentence about a kind of work; embedders that know several languages need no others.

A capability that does such work is nearer still to a request for it, and so is found in spite of this list.
"""

from typing import Final

BACKGROUND: Final = (
    "translate a text into another language",
    "book a hotel, a flight or a train",
    "reserve a table in a restaurant",
    "send an email or a message",
    "play music",
    "tell the weather",
    "write a poem, a story or a letter",
    "draw a picture or design a logo",
    "edit or resize a photo",
    "cut a video",
    "turn speech into text",
    "read a text aloud",
    "set an alarm or a reminder",
    "answer a question about the world",
    "tell a joke",
    "order food",
    "buy something in a shop",
    "plan a route",
    "write and compile program code",
    "manage files and folders on a computer",
    "open an account or reset a password",
    "make a phone call",
    "arrange a meeting in the calendar",
    "switch lights on in the house",
    "recommend a film or a book",
    "pay a bill or transfer money",
    "apply for a passport or a visa",
    "search the web",
    "find a doctor, a job or a flat",
    "give advice on life and health",
    "summarise an article",
    "talk with somebody, greetings",
    "play a game",
    "solve an equation",
    "tell the news and sports results",
    "recognise faces and objects in images",
)
