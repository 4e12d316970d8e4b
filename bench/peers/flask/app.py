"""Task lists with Flask and Flask-SQLAlchemy, as a course's readers write it.

https://flask-sqlalchemy.readthedocs.io/en/stable/quickstart/
"""

import os
from datetime import UTC, datetime

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


def now() -> datetime:
    return datetime.now(UTC)


db = SQLAlchemy(model_class=Base)
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace(
    "postgresql:", "postgresql+psycopg2:"
)
db.init_app(app)


class TaskList(db.Model):
    __tablename__ = "task_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column(default=1)

    def as_dict(self) -> dict[str, int | str]:
        return {
            "id": self.id,
            "name": self.name,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
            "version": self.version,
        }


with app.app_context():
    db.create_all()


@app.get("/lists")
def index() -> list[dict[str, int | str]]:
    rows = db.session.execute(db.select(TaskList).order_by(TaskList.id)).scalars()
    return [row.as_dict() for row in rows]


@app.post("/lists")
def create() -> tuple[dict[str, int | str], int]:
    task_list = TaskList(name=request.get_json()["name"])
    db.session.add(task_list)
    db.session.commit()
    return task_list.as_dict(), 201


@app.get("/lists/<int:list_id>")
def read(list_id: int) -> dict[str, int | str]:
    return db.get_or_404(TaskList, list_id).as_dict()


@app.put("/lists/<int:list_id>")
def update(list_id: int) -> dict[str, int | str]:
    task_list = db.get_or_404(TaskList, list_id)
    task_list.name = request.get_json()["name"]
    db.session.commit()
    return task_list.as_dict()
