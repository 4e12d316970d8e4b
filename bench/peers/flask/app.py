"""Task lists with Flask and Flask-SQLAlchemy, as a course's readers write it.

https://flask-sqlalchemy.readthedocs.io/en/stable/quickstart/
"""

import os
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask, request, url_for
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, ForeignKey, Index, String
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


class Task(db.Model):
    __tablename__ = "task"
    __table_args__ = (Index("tasks_of_a_list", "list_id", "order", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("task_list.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(255))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    due: Mapped[date | None]
    order: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def completed(self) -> bool:
        return self.completed_at is not None

    @completed.setter
    def completed(self, value: bool) -> None:
        if value != self.completed:
            self.completed_at = now() if value else None

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": url_for("read_task", task_id=self.id, _external=True),
            "list": self.list_id,
            "title": self.title,
            "completed": self.completed,
            "completed_at": self.completed_at.isoformat() if self.completed_at else None,
            "due": self.due.isoformat() if self.due else None,
            "order": self.order,
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


@app.get("/lists/<int:list_id>/tasks")
def tasks(list_id: int) -> list[dict[str, Any]]:
    db.get_or_404(TaskList, list_id)
    query = db.select(Task).filter_by(list_id=list_id).order_by(Task.order, Task.id)
    return [task.as_dict() for task in db.session.execute(query).scalars()]


@app.post("/lists/<int:list_id>/tasks")
def create_task(list_id: int) -> tuple[dict[str, Any], int]:
    db.get_or_404(TaskList, list_id)
    last = db.session.scalar(db.select(db.func.max(Task.order)).filter_by(list_id=list_id))
    task = Task(list_id=list_id, order=(last or 0) + 1)
    change(task)
    db.session.add(task)
    db.session.commit()
    return task.as_dict(), 201


@app.get("/tasks/<int:task_id>")
def read_task(task_id: int) -> dict[str, Any]:
    return db.get_or_404(Task, task_id).as_dict()


@app.patch("/tasks/<int:task_id>")
def update_task(task_id: int) -> dict[str, Any]:
    task = db.get_or_404(Task, task_id)
    change(task)
    db.session.commit()
    return task.as_dict()


def change(task: Task) -> None:
    """Set what the request's body has."""
    body = request.get_json()
    for name in ("title", "completed", "order"):
        if name in body:
            setattr(task, name, body[name])
    if "due" in body:
        task.due = date.fromisoformat(body["due"]) if body["due"] else None
